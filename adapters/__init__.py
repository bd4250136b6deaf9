"""How an e-port is reached: formats, transports, envelope, signers, and the simulator."""
