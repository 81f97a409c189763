// What the CloudEvents SDK makes of an AMQP message, in strict mode. It has no AMQP binding of its own, so this maps a
// message as that binding says for binary mode: the headers after a prefix are attributes, the content type is another.
const { CloudEvent } = require("cloudevents");
const answer = require("./lines.cjs");

const PREFIX = "cloudEvents:";

answer(({ headers, content_type, body }) => {
  const attributes = Object.entries(headers)
    .filter(([name]) => name.startsWith(PREFIX))
    .map(([name, value]) => [name.slice(PREFIX.length), value]);
  const message = { ...Object.fromEntries(attributes), datacontenttype: content_type, data: JSON.parse(body) };
  try {
    // Spread: `toJSON` would write the time anew.
    return { read: { ...new CloudEvent(message, true) } };
  } catch (error) {
    return { refused: error.message };
  }
});
