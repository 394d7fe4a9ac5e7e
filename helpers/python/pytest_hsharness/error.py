class HsharnessError(Exception):
    """Why hsharness can't be asked, or what it refused to do for a test.

    ``field`` is the rule or the member of the request that is wrong, where one is.
    """

    def __init__(self, text, field=None):
        super().__init__("hsharness: " + text)
        self.text = text
        self.field = field
