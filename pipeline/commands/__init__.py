"""Commands of ``disclosure`` by subject, one module each; ``pipeline.cli`` registers them, ``console`` answers.

A module imports the steps that it calls inside its commands: ``disclosure --help`` loads nothing heavy.
"""
