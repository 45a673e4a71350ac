# Text of a formula for a tap of one's own, not run here. The hash is that of the published source distribution, which
# scripts/release.py writes. ONNX Runtime for Python has no source distribution, and Homebrew's own is for C alone: so
# pip installs what photochrom needs, as wheels, and there is no list of resources to keep. Homebrew's core would not
# take that.
class Photochrom < Formula
  desc "Colour and restore old photographs offline, with the luma provably untouched"
  homepage "https://pypi.org/project/photochrom/"
  url "https://files.pythonhosted.org/packages/source/p/photochrom/photochrom-0.1.0.tar.gz"
  sha256 "0000000000000000000000000000000000000000000000000000000000000000"
  license "MIT"

  depends_on "python@3.13"

  def install
    system "python3.13", "-m", "venv", libexec
    system libexec/"bin/python", "-m", "pip", "install", buildpath
    bin.install_symlink libexec/"bin/photochrom"
  end

  test do
    assert_match "luma kept exactly", shell_output("#{bin}/photochrom doctor")
  end
end
