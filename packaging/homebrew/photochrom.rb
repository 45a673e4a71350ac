# Text of a formula for a tap of one's own. `brew update-python-resources photochrom` fills in the resources, and the
# hash is that of the published source distribution; neither exists before the first release. Not run here.
class Photochrom < Formula
  include Language::Python::Virtualenv

  desc "Colour and restore old photographs offline, with the luma provably untouched"
  homepage "https://pypi.org/project/photochrom/"
  url "https://files.pythonhosted.org/packages/source/p/photochrom/photochrom-0.1.0.tar.gz"
  sha256 "0000000000000000000000000000000000000000000000000000000000000000"
  license "MIT"

  depends_on "numpy"
  depends_on "onnxruntime"
  depends_on "pillow"
  depends_on "python@3.13"
  depends_on "vips"

  def install
    virtualenv_install_with_resources
  end

  test do
    assert_match "luma kept exactly", shell_output("#{bin}/photochrom doctor")
  end
end
