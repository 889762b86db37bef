"""How well examiners do on clips whose origin is known: `touchstone evaluate`.

corpus.py reads which clips there are, conditions.py names what is done to both classes alike, worker.py does
it in confined processes, run.py keeps what came out, table.py counts, and the others tell.
"""
