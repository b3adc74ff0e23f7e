"""One door for each outside thing of the network: sockets, keys, interfaces."""
