"""The simulator: a customs of its own, for tests, trials and the demo. It shares no code with the gateway.

simulator.py  the access client's side of the folders: takes what lies in the outboxes, writes receipts into the inboxes
customs.py    what becomes of a message, document by document
exchange.py   the exchange platform, which opens envelopes or refuses them (DxpRep)
entrance.py   e-port's check of format and number (CEB900)
admission.py  e-port's checks of one document against what it holds
matching.py   customs' checks of an inventory against its order, payments and waybill
course.py     which statuses follow which, and when
texts.py      the codes and texts of the answers
receipts.py   answers as receipt messages, and how they can be broken
tax.py        tax bills
world.py      what e-port and customs know; statefile.py keeps it in a file
script.py     what the user wants to happen instead
chance.py     what is left to chance, reproducible by its seed
"""
