"""What do findings mean, and what should people hear?"""
