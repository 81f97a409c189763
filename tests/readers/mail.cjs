// What mailparser reads in a mail, which comes as base64.
const { simpleParser } = require("mailparser");
const answer = require("./lines.cjs");

const people = (header) =>
  header ? header.value.map(({ name, address, group }) => ({ name, address, group: Boolean(group) })) : [];

answer(async (mail) => {
  const read = await simpleParser(Buffer.from(mail, "base64"));
  return {
    headers: read.headerLines.map(({ key }) => key),
    from: people(read.from),
    to: people(read.to),
    subject: read.subject ?? "",
    date: read.date,
    text: read.text,
    html: read.html,
    // The text part as a page, with a link wherever a mail program would make one.
    linked: read.textAsHtml,
    attachments: read.attachments.length,
  };
});
