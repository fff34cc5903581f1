"""From a live system to a first environment and first criteria.

`visiting/` reads: a first visit with the questions of `questions/`, which find what is there, a second one that reads
what was found as a run would, the logs, and a few knocks at ports. `proposing/` turns what was `found` into entries
and rules, purely. `writing/` sifts these, writes them as YAML with comments, and loads that as any environment is
loaded before it is put in its place.
"""
