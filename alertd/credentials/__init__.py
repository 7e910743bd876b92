"""Are the exchange keys still accepted, and with the right rights?"""
