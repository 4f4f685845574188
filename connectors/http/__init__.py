"""Asking an agency over HTTPS, the same for every transport that does so.

``client`` one question and its answer, asked patiently and politely · ``answers`` judging status, size and time of an
answer · ``web_page`` telling a web page, a login page above all, from data. What may not live here: pages, cursors,
rows.

Connections are TLS-verified and direct: neither the proxies nor the ``.netrc`` of the machine are used, redirects are
not followed, so the token goes to the configured host only. Every answer is bounded in bytes and in time.
"""
