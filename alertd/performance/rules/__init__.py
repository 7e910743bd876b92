"""What can be found about a subject, one finding for each rule; the checks choose among them. Pure."""
