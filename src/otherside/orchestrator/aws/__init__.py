"""The world as AWS has it: each port by its own service, every client bound to one Region."""
