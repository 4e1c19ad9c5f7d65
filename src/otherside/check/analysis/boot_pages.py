"""Whether a boot script makes the page that a health check asks for.

A script is followed as far as that takes: variables, loops over words, braces, the working
directory, and the commands that write files. What cannot be followed may be the page.
"""

import itertools
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from posixpath import basename, join, normpath

_ROOTS = (
    *("/var/www/html", "/usr/share/nginx/html", "/var/www/localhost/htdocs"),
    *("/srv/www/htdocs", "/usr/local/apache2/htdocs", "/srv/http"),
)
"""Where servers look for pages unless they are told otherwise."""
_TOLD_ROOT = re.compile(
    r"(?:\bDocumentRoot\s+|^\s*root\s+|\{\s*root\s+)\"?([^\s\"';]+)", re.MULTILINE
)
_ANY_PATH = re.compile(
    r"\bFallbackResource\b|\bRewriteRule\b|\bAliasMatch\b|\bErrorDocument\s+404\b"
)
"""Settings by which a server answers paths that have no file."""
_HEREDOC = re.compile(
    r"<<-?\s*[\"']?(\w+)[\"']?([^\n]*)\n(.*?)^\s*\1\s*$", re.MULTILINE | re.DOTALL
)
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_BRACES = re.compile(r"\{([^{}]*,[^{}]*)\}")
_ENDS = frozenset({";", "&&", "||", "|", "&", "\n", "do", "then", "else", "{", "}", "(", ")"})
_ASKS = frozenset({"curl", "wget", "test", "[", "[[", "echo", "printf", "logger"})
"""Commands that may name a page and make none by themselves."""
_BEFORE = frozenset({"sudo", "if", "while", "until", "!", "exec", "nohup", "setsid", "time"})
"""Words that stand before a command."""
_COPIES = frozenset({"cp", "mv", "install", "ln"})
_UNKNOWN = "\ue300"
"""Stands for a piece of a path that is not known."""


@dataclass(slots=True)
class _Shell:
    """What a script has done so far."""

    here: str = "/"
    variables: dict[str, list[str]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    trees: list[str] = field(default_factory=list)
    """Directories that something was copied into, nobody knows what."""
    roots: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    """The words of commands that are not followed."""

    def words(self, token: str) -> list[str]:
        """Return what a token stands for: several words for braces and for a loop's variable."""
        found = [token]
        for _ in range(8):
            grown = list(itertools.chain.from_iterable(map(self._once, found)))
            if grown == found or len(grown) > _WORDS_MAX or max(map(len, grown)) > _LENGTH_MAX:
                break
            found = grown
        found = [word if len(word) < _LENGTH_MAX else _UNKNOWN for word in found]
        return [re.sub(r"\$\{[^}]*\}?|\$.?|`.*", _UNKNOWN, word) for word in found]

    def _once(self, word: str) -> list[str]:
        for pattern in (_BRACES, _VARIABLE):
            match = pattern.search(word)
            if match is not None:
                inner = (
                    match[1].split(",")
                    if pattern is _BRACES
                    else self.variables.get(match[1] or match[2], [_UNKNOWN])
                )
                return [word[: match.start()] + item + word[match.end() :] for item in inner]
        return [word]

    def path(self, word: str) -> str:
        """Return a path from the working directory."""
        return normpath(join(self.here, word))


_WORDS_MAX, _LENGTH_MAX = 64, 1000


def serves(script: str, path: str) -> bool | None:
    """Return whether a script without comments makes a page; `None` if it does not tell."""
    name = path.partition("?")[0].strip("/")
    if _ANY_PATH.search(script) or _handles(script, name):
        return True
    shell = _Shell()
    bodies = [match[3] for match in _HEREDOC.finditer(script)]
    plain = _HEREDOC.sub(lambda match: f"{match[2]}\n", script)
    try:
        for tokens in _commands(plain):
            _run(shell, tokens)
    except ValueError:  # quotes that do not close on their line
        return None
    roots = [*_roots(script), *shell.roots]
    pages = [f"{root.rstrip('/')}/{name}" for root in dict.fromkeys(roots)]
    if any(
        file == page or file.startswith(f"{page}/index.") for file in shell.files for page in pages
    ):
        return True
    if any(page.startswith(f"{tree}/") for tree in shell.trees for page in pages):
        return None
    if any(_may_be(file, page) for file in shell.files for page in pages if _UNKNOWN in file):
        return None
    alike = [file for file in shell.files if basename(file) == basename(name)]
    if any(not _WRONG.match(file) for file in alike) or _ROOT_TOLD.search(script):
        return None  # it may be where the server looks
    spoken = " ".join(shell.strange + bodies)
    return None if _word(name).search(spoken) else False


_WRONG = re.compile(r"/(?:tmp|root|home/[^/]+|var/www|var/www/html|usr/share/nginx/html)?/?[^/]+")
"""Where no server looks for pages, and where one does that is not the one that runs."""
_ROOT_TOLD = re.compile(
    r"document-root|WorkingDirectory|\bfile-server\b|--root\b|--directory=|\s-d\s|\broot\s+[*$]"
    r"|DocumentRoot\s+[\"']?\$|[\"']\s*server\s*\{|s[|#,/]/var/www"
)
"""What may tell a server where to look, in a way that is not followed."""


def _handles(script: str, name: str) -> bool:
    """Return whether a server in the script answers the path by itself."""
    if "do_GET" in script and not re.search(r"\bself\.path\b|SimpleHTTPRequestHandler", script):
        return True
    said = rf"(?:location|Alias|ScriptAlias|<Location|handle|respond)\b[^\n]*\b{re.escape(name)}\b"
    return bool(
        re.search(rf"{said}|[\"'`]/{re.escape(name)}/?[\"'`]\s*(?:[,):]|in\b)", script)
    ) or bool(re.search(rf"(?:==|===|startswith\(|endsWith\()\s*[\"']/{re.escape(name)}", script))


def _word(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)")


def _roots(script: str) -> list[str]:
    """Return where the server of a script looks for pages."""
    told = _TOLD_ROOT.findall(script)
    of_red_hat = re.search(r"\b(?:yum|dnf|amazon-linux-extras)\b", script)
    nginx = re.search(r"\bnginx", script) and not re.search(r"\b(?:httpd|apache2?)\b", script)
    files = re.search(r"\b(?:httpd|apache2?|nginx|lighttpd|caddy|webfs)", script)
    usual = ["/usr/share/nginx/html"] if nginx and of_red_hat else list(_ROOTS) if files else []
    return [*told, *usual]


_SUBSTITUTED = re.compile(r"\$\([^()]*\)|`[^`\n]*`")
"""What a shell puts in place of a command."""


def _commands(script: str) -> Iterator[list[str]]:
    """Yield the words of each command; a redirection's sign is a word."""
    asked = _SUBSTITUTED.sub(_UNKNOWN, script.replace("\\\n", " "))
    for line in asked.splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|<>()")
        lexer.whitespace_split, lexer.commenters = True, ""
        command: list[str] = []
        for token in lexer:
            if token in _ENDS or set(token) <= set(";&|()"):
                yield command
                command = []
            else:
                command.append(token)
        yield command


def _run(shell: _Shell, tokens: list[str]) -> None:
    """Do what one command does to files."""
    while tokens and (tokens[0] in _BEFORE or _assigns(shell, tokens)):
        tokens = tokens[1:]
    if not tokens:
        return
    if tokens[0] == "for" and tokens[2:3] == ["in"]:
        shell.variables[tokens[1]] = [word for each in tokens[3:] for word in shell.words(each)]
        return
    words: list[str] = []
    for sign, token in itertools.pairwise(["", *tokens]):
        if sign and set(sign) <= {">"}:
            shell.files += map(shell.path, shell.words(token))
        elif sign and set(sign) <= {"<"}:
            continue
        elif not set(token) <= set("<>"):
            words += shell.words(token)
    if words:
        _act(shell, words)


def _assigns(shell: _Shell, tokens: list[str]) -> bool:
    """Keep an assignment, and return whether the first word is one, or says that one follows."""
    match = re.fullmatch(r"(\w+)=(.*)", tokens[0], re.DOTALL)
    if match is not None:
        shell.variables[match[1]] = shell.words(match[2])
    return match is not None or tokens[0] in {"export", "readonly", "local"}


def _act(shell: _Shell, words: list[str]) -> None:
    name, *rest = words
    plain = [word for word in rest if not word.startswith("-")]
    match basename(name):
        case "cd" | "pushd" | "popd":
            shell.here = shell.path(plain[0]) if plain else _UNKNOWN
        case "tee" | "touch":
            shell.files += map(shell.path, plain)
        case command if command in _COPIES and len(plain) > 1:
            _copy(shell, plain, whole=any(re.match(r"-\w*[raRt]", word) for word in rest))
        case "bash" | "sh" if "-c" in rest and rest[-1] != "-c":
            for tokens in _commands(rest[-1]):
                _run(shell, tokens)
        case command if command.startswith("python") and "http.server" in rest:
            told = dict(itertools.pairwise(rest)).get("--directory") or shell.here
            shell.roots.append(shell.path(told))
        case "busybox" if "-h" in rest[:-1]:
            shell.roots.append(shell.path(rest[rest.index("-h") + 1]))
        case "mkdir" | "chmod" | "chown" | "systemctl" | "service":
            return
        case command if command not in _ASKS:
            shell.strange += words


def _copy(shell: _Shell, plain: list[str], *, whole: bool) -> None:
    *sources, target = plain
    for source in sources:
        bare = "." not in basename(source) and "." not in basename(target)
        if whole or bare or "*" in source or _UNKNOWN in source or source.endswith("/"):
            shell.trees.append(shell.path(target))
        shell.files += [shell.path(target), shell.path(join(target, basename(source)))]


def _may_be(file: str, page: str) -> bool:
    pieces = ".*".join(map(re.escape, file.split(_UNKNOWN)))
    return bool(re.fullmatch(pieces, page))
