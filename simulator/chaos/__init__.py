"""Ten business days twice over the pipeline's own functions: once with every fault, once without; then compared.

``faults`` what goes wrong when, and what is expected of it · ``running`` the days · ``comparing`` the records of both
runs · ``reporting`` what is told of it. ``python -m simulator.chaos`` runs it all.
"""
