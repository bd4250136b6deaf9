"""The example set: invented triples, planted cases, what customs is to answer, and what must become of each."""
