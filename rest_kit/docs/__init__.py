"""What an application says about itself, made from its controllers."""
