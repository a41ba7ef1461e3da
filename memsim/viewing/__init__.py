"""The page to look at a run: a server on this machine, and what it shows of a span within the blink of an eye."""
