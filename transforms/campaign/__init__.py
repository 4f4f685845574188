"""The special action's statistics (专项行动情况统计表): what is counted, by whom, until when, and what must hold.

``sheets.yaml`` the action's months, due dates, districts, items and rules, as reviewed, dated facts ·
``sheets`` reading them ·
``plausible`` the rules held against figures · ``counting.yaml`` what is an online case (涉网), which penalty is the
heaviest · ``counting`` reading it.

Annex 1-7 of the plan of 2018-08-21 is "略": the items are those of published results of the same annual action
(domain 7). A figure is *derived* when this system counts it from pooled records, and *returned* when only the agency
can tell it.
"""
