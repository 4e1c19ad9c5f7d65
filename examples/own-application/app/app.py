"""A shop: orders as JSON, each with a reference that its customer chose.

POST /orders               {"reference": …, "note": …}: 201, or 200 if there is that order
GET  /orders/<reference>   the order
"""

import json
import re

from service import Service, serve

REFERENCE = re.compile(r"^/orders/([A-Za-z0-9-]{1,64})$")
SCHEMA = "create table if not exists orders (reference text primary key, note text not null)"
RIGHTS = ("select, insert on orders",)


class Orders(Service):
    """Handles one HTTP request about orders; `Service` answers the health checks."""

    def get(self, path):
        """Return an order."""
        match = REFERENCE.match(path)
        if match is None:
            self.answer(404, {"error": "no such path"})
        else:
            self.guarded(lambda: self._read(match[1]))

    def do_POST(self):
        """Take an order."""
        body = self.body()
        if body is None:
            return
        try:
            order = json.loads(body)
            reference, note = str(order["reference"]), str(order["note"])
        except (ValueError, KeyError, TypeError):
            self.answer(400, {"error": "an order has a reference and a note"})
            return
        self.guarded(lambda: self._take(reference, note))

    def _take(self, reference, note):
        """Store an order once, however often its customer sends it."""
        with self.writing() as cursor:
            cursor.execute(
                "insert into orders (reference, note) values (%s, %s)"
                " on conflict (reference) do nothing",
                (reference, note),
            )
            fresh = cursor.rowcount == 1
        self.answer(201 if fresh else 200, {"reference": reference})

    def _read(self, reference):
        with self.database.cursor("reader") as cursor:
            cursor.execute("select note from orders where reference = %s", (reference,))
            row = cursor.fetchone()
        if row is None:
            self.answer(404, {"error": "no such order"})
        else:
            self.answer(200, {"reference": reference, "note": row[0]})


if __name__ == "__main__":
    serve(Orders, SCHEMA, RIGHTS)
