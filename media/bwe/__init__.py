"""What is done with a bandwidth estimate; the estimate itself is native (`media/native/gcc.pyx`)."""
