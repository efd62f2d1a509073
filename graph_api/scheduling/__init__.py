"""When things are due: recurrence rules, time zones, and what is overdue or urgent.

Pure functions of values. The current moment is always passed in, so that all rows of
an answer are seen at the same one.
"""
