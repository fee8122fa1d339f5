"""The browser's side: the SDK (halqa/), the class page on it, and the routes that serve both."""
