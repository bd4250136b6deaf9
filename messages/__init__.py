"""What is said: document models, the CEB codec and schemas, receipts, code tables. Pure: no clock, no I/O."""
