"""Kinds of columns: values to features and back.

Every datatype says how sure it is that a column is its own; the highest claim wins. So that claims
can be compared, all keep to one scale:

=============  =================================================================================
1.0            nothing else is possible: no value at all (empty)
0.95 - 0.97    the values leave no doubt: one value only, booleans, text that is dates
0.9            the Arrow type says it (dates, dictionaries), or a unique column is called a key
0.85           unique and as regular as keys are, or a text that repeats ten times and more
0.7 - 0.8      likely: plain numbers, a few texts, free text of several words
0.5 - 0.6      perhaps: unique single words, texts that repeat now and then, bytes
0.05 - 0.3     only if nobody else will
=============  =================================================================================
"""
