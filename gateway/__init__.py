"""What is decided: linking, rules, cases, declarations, the five steps, the store, HTTP and the command line."""
