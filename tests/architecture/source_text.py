"""Reads C++ as far as the rules of the architecture need: what is a comment, what is a string literal, what is code."""
import re

_TOKEN = re.compile(
    r"""
      (?P<line_comment>//(?:[^\\\n]|\\.|\\\n)*)
    | (?P<block_comment>/\*.*?\*/)
    | (?P<raw>(?:u8|[uUL])?R"(?P<delimiter>[^()\\\s]{0,16})\((?P<raw_body>.*?)\)(?P=delimiter)")
    | (?P<string>(?:u8|[uUL])?"(?P<body>(?:[^"\\\n]|\\.|\\\n)*)")
    | (?P<digits>\d[\w']*)
    | (?P<character>(?:u8|[uUL])?'(?:[^'\\\n]|\\.)+')
    """,
    re.VERBOSE | re.DOTALL,
)
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?P<name>"[^"\n]+"|<[^>\n]+>)', re.MULTILINE)


def _blank(text):
    """As many lines as `text` has, and nothing on them."""
    return " " + "\n" * text.count("\n")


def without_comments(text):
    """The text with every comment blanked; lines keep their numbers, literals stay."""
    return _TOKEN.sub(
        lambda match: _blank(match.group()) if match["line_comment"] or match["block_comment"] else match.group(), text)


def without_comments_and_literals(text):
    """The code alone; lines keep their numbers."""
    return _TOKEN.sub(lambda match: match.group() if match["digits"] else _blank(match.group()), text)


def includes(text):
    """(line, name, is_quoted) of each #include that is not commented out."""
    text = without_comments(text)
    for match in _INCLUDE.finditer(text):
        name = match["name"]
        yield text.count("\n", 0, match.start()) + 1, name[1:-1], name[0] == '"'


def string_literals(text):
    """(line, content) of each string literal; neighbours that the compiler would join are joined."""
    joined_line, joined, end = 0, None, 0
    for match in _TOKEN.finditer(text):
        if match["line_comment"] or match["block_comment"] or match["digits"] or match["character"]:
            continue
        content = match["raw_body"] if match["raw"] else re.sub(r"\\(.)", _unescape, match["body"], flags=re.DOTALL)
        between = without_comments(text[end:match.start()])
        if joined is not None and not between.strip():
            joined += content
        else:
            if joined is not None:
                yield joined_line, joined
            joined_line, joined = text.count("\n", 0, match.start()) + 1, content
        end = match.end()
    if joined is not None:
        yield joined_line, joined


def _unescape(match):
    return {"n": "\n", "t": "\t", "r": "\r", "\n": ""}.get(match[1], match[1])
