"""How deliveries arrive: file formats, transports, agency descriptors and the raw archive.

A connector hands over bytes exactly as they came and says where it stopped. It never interprets a record: sheets,
identifiers and rules belong to ``transforms`` and ``expectations``.
"""
