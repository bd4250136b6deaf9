"""Signing: the keys of declarants, the signature of a message, and its verification.

signers.py       the port `Signer` and keys in PEM files
xmldsig.py       the ds:Signature of a message
verification.py  strict, then lenient, saying which step failed
identity.py      self-made TEST keys and certificates
algorithms.py    sm2-sm3 and rsa-sha1
der.py           the DER that cryptography does not do for SM2
"""
