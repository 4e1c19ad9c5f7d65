"""Boot scripts that make a page, that make another, and that do not tell."""

import pytest

from otherside.check.analysis.boot_pages import serves

APACHE = "dnf install -y httpd\n"
MADE = {
    "working directory": "cd /var/www/html\necho OK > health.html",
    "a directory's index": "mkdir -p /var/www/html/up && cd /var/www/html/up && touch index.html",
    "variable": "ROOT=/var/www/html\necho OK > $ROOT/health.html",
    "variable for the path": "P=/health.html\necho OK > /var/www/html${P}",
    "tee": "echo OK | sudo tee /var/www/html/health.html",
    "tee and braces": "echo OK | tee /var/www/html/{index,health}.html",
    "loop": "for p in index health; do echo OK > /var/www/html/$p.html; done",
    "install": "install -D -m 644 /opt/ok.html /var/www/html/health.html",
    "copy into a directory": "cp /opt/health.html /var/www/html/",
    "shell in a shell": "bash -c 'echo OK > /var/www/html/health.html'",
    "a shell of its own": "(cd /var/www/html && echo OK > health.html)",
    "heredoc": "cat > /var/www/html/health.html <<EOF\nOK\nEOF",
    "its own root": "echo 'DocumentRoot /srv/w' > /etc/x.conf\ntouch /srv/w/health.html",
    "alias": 'echo "Alias /health.html /srv/ok.txt" > /etc/httpd/conf.d/x.conf',
    "every path": 'echo "FallbackResource /index.php" > /etc/httpd/conf.d/x.conf',
    "python's server": "cd /srv/w; touch health.html; nohup python3 -m http.server 80 &",
    "a handler of all paths": "python3 - <<EOF\ndef do_GET(self): self.send_response(200)\nEOF",
    "a handler of this path": "python3 - <<EOF\nif self.path == '/health.html': do_GET()\nEOF",
}
ELSEWHERE = {
    "another page": "echo OK > /var/www/html/index.html",
    "a longer name": "echo OK > /var/www/html/health.html.bak",
    "another directory": "echo OK > /var/www/health.html",
    "somewhere temporary": "cd /tmp; echo OK > health.html",
    "only asked for": "curl -s localhost/health.html",
}
MAYBE = {
    "what is copied is not told": "cp -r /opt/site/* /var/www/html/",
    "a name that is not known": "echo OK > /var/www/html/$(hostname).html",
    "a command that is not followed": "generate-page --to health.html",
    "quotes that do not close": "echo 'it is health.html\n",
    "a root by default": 'R="${ROOT:-/srv/www}"; echo OK > "$R/health.html"',
    "a root that sed moves": "sed -i 's|/var/www/html|/srv/w|' /etc/x; touch /srv/w/health.html",
    "a directory that becomes the root": "ln -s /opt/site /var/www/html",
    "a server's own option": "touch /srv/w/health.html; python3 -m http.server 80 -d /srv/w",
}


@pytest.mark.parametrize("script", MADE.values(), ids=MADE)
def test_a_page_is_made_in_any_of_these_ways(script):
    """By the file that the server looks for, or by a setting that answers without one."""
    path = "/up" if "html/up" in script else "/health.html"
    assert serves(APACHE + script, path) is True


@pytest.mark.parametrize("script", ELSEWHERE.values(), ids=ELSEWHERE)
def test_another_file_is_not_the_page(script):
    """Its name and its directory both count."""
    assert serves(APACHE + script, "/health.html") is False


def test_nginx_of_red_hat_looks_elsewhere_than_apache():
    """Its own directory, which is not the one that most scripts write to."""
    script = "dnf install -y nginx\necho OK > {}/health.html"
    assert serves(script.format("/var/www/html"), "/health.html") is False
    assert serves(script.format("/usr/share/nginx/html"), "/health.html") is True


@pytest.mark.parametrize("script", MAYBE.values(), ids=MAYBE)
def test_what_cannot_be_followed_may_be_the_page(script):
    """Neither a pass nor a finding."""
    assert serves(APACHE + script, "/health.html") is None
