import unittest

from client import Client


class CodeTest(unittest.TestCase):
    def setUp(self):
        self.client = Client.from_environment()

    def test_a_shirt_is_a_garment(self):
        self.assertRegex(self.client.code("men's cotton t-shirt", "US"), "^6109")

    def test_a_laptop_is_a_computer(self):
        self.assertRegex(self.client.code("laptop computer", "US"), "^8471")


if __name__ == "__main__":
    unittest.main()
