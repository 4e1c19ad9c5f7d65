"""A small service that stores entries in PostgreSQL: the sample application.

    PUT  /entries/<key>    store the body, up to 64 KiB: 201 the first time, 200 if the key exists
    GET  /entries/<key>    return it
    GET  /entries          return the number of entries and the newest ones

`service.py` has what it shares with every application: settings, connections, health pages.
"""

import base64
import hashlib
import re

from service import Service, serve

KEY = re.compile(r"^/entries/([A-Za-z0-9._-]{1,128})$")
SCHEMA = """
create table if not exists entries (
    key text primary key,
    body bytea not null,
    sha256 text not null,
    region text not null,
    written_at timestamptz not null default clock_timestamp()
)
"""
RIGHTS = ("select, insert on entries",)


class Entries(Service):
    """Handles one HTTP request about entries."""

    def get(self, path):
        """Return an entry, or the newest ones."""
        match = KEY.match(path)
        if path == "/entries":
            self.guarded(self._newest)
        elif match:
            self.guarded(lambda: self._read(match[1]))
        else:
            self.answer(404, {"error": "no such path"})

    def do_PUT(self):
        """Store an entry."""
        match = KEY.match(self.path)
        if match is None:
            self.close_connection = True
            self.answer(404, {"error": "no such path"})
            return
        body = self.body()
        if body is not None:
            self.guarded(lambda: self._write(match[1], body))

    def _write(self, key, body):
        digest = hashlib.sha256(body).hexdigest()
        with self.writing() as cursor:
            cursor.execute(
                "insert into entries (key, body, sha256, region) values (%s, %s, %s, %s)"
                " on conflict (key) do nothing",
                (key, body, digest, self.settings.region),
            )
            fresh = cursor.rowcount == 1
        self.answer(201 if fresh else 200, {"key": key, "sha256": digest})

    def _read(self, key):
        with self.database.cursor("reader") as cursor:
            cursor.execute("select body, sha256, region from entries where key = %s", (key,))
            row = cursor.fetchone()
        if row is None:
            self.answer(404, {"error": "no such entry"})
            return
        body = base64.b64encode(bytes(row[0])).decode()
        self.answer(200, {"key": key, "body": body, "sha256": row[1], "written_in": row[2]})

    def _newest(self):
        with self.database.cursor("reader") as cursor:
            cursor.execute("select count(*) from entries")
            count = cursor.fetchone()[0]
            cursor.execute("select key from entries order by written_at desc limit 100")
            keys = [row[0] for row in cursor.fetchall()]
        self.answer(200, {"count": count, "newest": keys})


if __name__ == "__main__":
    serve(Entries, SCHEMA, RIGHTS)
