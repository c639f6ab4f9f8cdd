from urllib.parse import parse_qs, urlsplit


def greet(greeting, path):
    """The greeting for whom a request names: /?to=you"""
    to = parse_qs(urlsplit(path).query).get("to", ["world"])[0]
    return f"{greeting}, {to}!\n"
