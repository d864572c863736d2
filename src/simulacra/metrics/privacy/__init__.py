"""Privacy: do the synthetic rows say more of the people learned from than of other people?"""
