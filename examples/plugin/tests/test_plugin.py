from simulacra.testing import conformance_tests

test_chow_liu = conformance_tests("models", "chow_liu")
test_ipv4 = conformance_tests("datatypes", "ipv4")
