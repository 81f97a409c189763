"""Why bytes that somebody uploaded are not kept."""

from sav_contracts.sentences import Sentence


class Unsuitable(Sentence, Exception, abstract=True):
    """These bytes are not kept; the sentence says why, for the person who sent them."""


class Unreadable(Exception):
    """These bytes are neither a picture nor a PDF, as far as we can read them."""
