"""The audit (稽核): what was pushed, stored, handed over, received and told, held against each other from outside.

It shares no code with the pipeline it checks: its own statements, its own reading of files, its own list of what must
be so. What is still under way is left out; everything else has to agree to the last document.
"""
