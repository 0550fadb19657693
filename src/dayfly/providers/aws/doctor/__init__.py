"""What ``dayfly doctor`` looks at in an account, and the policy that it prints."""
