export default function ({ parentElement, data }) {
  const link = parentElement.querySelector(".link");
  link.href = data.address;
  link.download = data.filename;
  link.querySelector(".words").textContent = data.label;
}
