"""The digitalocean provider: an image as a deploy-time job of DigitalOcean's App Platform."""
