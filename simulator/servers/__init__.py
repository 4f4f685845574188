"""What the simulated agencies serve over real protocols: one module and one class per protocol.

All classes have one shape, so that whoever composes agencies out of them need not know which is which::

    server = PagedApiServer(token, tls, port=0)          # JSON pages over HTTPS         (paged_api)
    server = SoapServer(token, tls, port=0)              # WSDL and envelopes over HTTPS (soap)
    server = HtmlSite(token, tls, port=0)                # list and detail pages, HTTPS  (html_site)
    server = SftpServer(folder, password, port=0)        # dated files over SFTP         (sftp)
    server = DropFolder(folder)                          # dated files in a folder       (dated_files)
    server = ExchangeDatabase(url, {table: codes})       # tables of PostgreSQL, MariaDB (exchange_db)

    server.start()                                       # answers from now on, in threads of its own; also ``with``
    server.publish(path, day, rows)                      # puts a day's rows in place
    server.faults.turn_on(Fault(FaultKind.RESET, page=2, times=1)); server.faults.turn_off()
    server.url                                           # fit for connectors.endpoint.Endpoint(url, token, ca_file)
    server.requests                                      # targets asked so far, oldest first, the last 10,000
    server.stop()

* ``token``: the bearer token that a client must send; ``""`` lets everybody read (a public web page).
* ``tls``: an ``ssl.SSLContext`` of the server side, e.g. of ``trustme``; ``port`` 0 is any free port of 127.0.0.1.
* ``publish(path, day, rows, first_number=None)``: ``path`` is what the descriptor's transport names (the path of an API
  or a list, the operation of a SOAP service); ``day`` is the day on which the rows become visible and dated; ``rows``
  are mappings of sheet code to text. Publishing a day again replaces that day's rows, so a second time changes
  nothing. Rows are numbered in the order of publishing; ``first_number`` sets the number of the day's first row, for a
  simulator that is started anew with the same numbers.
* Publishing, faults and requests may come from different threads. At most 32 connections are served at a time.
* ``faults`` (:mod:`simulator.faults`): ``page`` of a fault is the number of the page, batch or list page asked for; the
  detail pages of ``HtmlSite`` and the WSDL of ``SoapServer`` have the number 0.

* ``SftpServer`` and ``DropFolder``: ``path`` is the pattern of the dated files; ``publish`` also takes ``writer`` (rows
  to bytes: ``as_csv``, or a function around ``workbook.as_workbook``) and ``full_set``. ``SftpServer.host_key`` is for
  the endpoint, the password is its secret.
* ``ExchangeDatabase``: ``path`` is the table. ``MariaDbServer(folder).url`` (``mariadb``) is a private server for it.

What lives here: protocols and their faults. What may not: who delivers what and when (``simulator.agencies``).
"""
