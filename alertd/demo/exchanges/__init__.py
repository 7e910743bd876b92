"""Exchanges on loopback that verify signatures and answer as the real ones do, outages included."""
