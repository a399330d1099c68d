"""Differential tests: random chains and transactions judged by the executable specification of Ethereum.

The oracle is EELS, the package ``ethereum-execution`` on PyPI. It lives in a virtual environment of its own
(``requirements.txt`` beside this file), and only :mod:`.oracle` and :mod:`.curves` import it. The way of a
case:

``seed`` -> :mod:`.chains` / :mod:`.single` draw a *plan* (:mod:`.plan`, plain data that needs no execution)
-> :mod:`.assembly` lets EELS execute it and finds out every root -> :mod:`.fixtures` writes the
well-known JSON formats -> :mod:`.runner` gives the files to ``coc evm`` and, where the two disagree,
:mod:`.shrink` cuts the plan down to the smallest one that still shows it.
"""
