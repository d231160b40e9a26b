"""From a file in any known format to batches of rows; :mod:`recommender.plays` makes play counts of them.

``sources`` (bytes, unpacked, in blocks of whole lines) -> ``layouts`` (which column is what) -> ``readers`` (text) or
``tables`` (parquet, HetRec's files) -> ``formats`` (recognises a file and opens it); ``labels`` numbers the names.
"""
