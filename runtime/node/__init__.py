"""The node: a device between X-ray machine and PACS that loses nothing and answers once.

An extra of its own: ``pip install 'brixia-edge[node]'``. Nothing else imports it.
"""
