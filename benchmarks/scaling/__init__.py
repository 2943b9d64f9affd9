"""What more images, threads, processes and files cost: throughput and memory."""
