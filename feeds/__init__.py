"""What a publicity site gets: site descriptors, the release writer, manifest and signature, the reference client.

Here live the form of a feed and the proof that it is right. Which record is shown where and until when is decided
elsewhere (``transforms``, ``pipeline``): this room takes the outcome as tables and never looks into a store. It reads
no clock and no network.

``sites`` descriptors · ``release`` building one · ``visible`` the atomic step · ``client`` verifying and applying ·
``manifest``, ``signature`` · ``row_text`` one row in three formats · ``algebra`` full(n-1) + delta = full(n).
The contract with a site (layout, formats, manifest, algebra) is ``docs/feeds.md``.
"""
