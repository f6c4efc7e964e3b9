"""The five services that the orchestrator calls, as scripted fakes: deterministic, fast, no model.

`fakes` has what they share and what a test may change, `script` records calls and takes other answers,
`pictures` draws photos that carry their truth in their first pixels. Then a module for each service, and
`serving` makes servers of them.
"""
