"""
One campaign, several machines: who schedules, how a campaign is cut into slices, and who sends them.

The work travels as jobs of procrastinate (`queue`); the elected scheduler deals it out (`dealing`), sending processes
take it up (`sender`) and claim from the ledger what their slices name (`sessions`).
"""
