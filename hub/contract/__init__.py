"""What a connector author needs, and all they may use besides `hub.model` and `hub.errors`."""
