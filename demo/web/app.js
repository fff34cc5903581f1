// The till's two pages. Talks to the API under /api of its own origin and to nobody else.
"use strict";

const TOKEN = "warungin.token";
const USER = "warungin.user";
const rupiah = new Intl.NumberFormat("id-ID", { style: "currency", currency: "IDR", maximumFractionDigits: 0 });
const whole = new Intl.NumberFormat("id-ID", { maximumFractionDigits: 0 });

const MESSAGES = {
  second_factor_required: "Please enter the code from your app.",
  invalid_credentials: "User name, password or code is wrong.",
  too_many_attempts: "Too many attempts. Please wait a minute.",
  too_many_requests: "The system is busy. Please try again.",
  forbidden: "You may not see this store.",
  invalid_request: "Please fill in every field.",
};

const byId = (id) => document.getElementById(id);

class ApiError extends Error {
  constructor(status, code) {
    super(MESSAGES[code] || "The system does not answer as it should. Please try again.");
    this.status = status;
  }
}

async function call(method, path, body) {
  const token = sessionStorage.getItem(TOKEN);
  const headers = { Accept: "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers["Content-Type"] = "application/json";
  const answer = await fetch(`/api${path}`, { method, headers, body: body && JSON.stringify(body) });
  const isJson = (answer.headers.get("Content-Type") || "").startsWith("application/json");
  const content = isJson ? await answer.json() : null;
  if (!answer.ok) throw new ApiError(answer.status, content && content.error);
  return content;
}

function say(element, text, good = false) {
  element.textContent = text;
  element.classList.toggle("good", good);
}

async function busy(form, work) {
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    await work();
  } finally {
    button.disabled = false;
  }
}

// Login

function startLogin() {
  const form = byId("login-form");
  const message = byId("login-message");
  byId("username").focus();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    say(message, "");
    busy(form, async () => {
      const fields = Object.fromEntries(new FormData(form));
      fields.code = fields.code.trim();
      try {
        const { token, user } = await call("POST", "/auth/login", fields);
        sessionStorage.setItem(TOKEN, token);
        sessionStorage.setItem(USER, JSON.stringify(user));
        location.assign("dashboard.html");
      } catch (error) {
        say(message, error.message);
        byId("code").value = "";
        byId(fields.username ? (fields.password ? "code" : "password") : "username").focus();
      }
    });
  });
}

// Dashboard

function forget() {
  sessionStorage.removeItem(TOKEN);
  sessionStorage.removeItem(USER);
  location.assign("index.html");
}

function rows(body, lines) {
  body.replaceChildren(
    ...lines.map((cells) => {
      const row = document.createElement("tr");
      cells.forEach(([text, isNumber]) => {
        const cell = row.insertCell();
        cell.textContent = text;
        if (isNumber) cell.className = "number";
      });
      return row;
    }),
  );
}

async function showFigures(store) {
  const figures = await call("GET", `/stores/${store}/dashboard`);
  byId("sales-today").textContent = rupiah.format(figures.sales_today);
  byId("orders-today").textContent = whole.format(figures.orders_today);
  byId("low-stock").textContent = whole.format(figures.low_stock);
  rows(byId("top-products"), figures.top_products.map((one) => [[one.name], [whole.format(one.sold), true]]));
}

async function showOrders(store) {
  const { orders } = await call("GET", `/stores/${store}/orders`);
  const time = (text) => new Date(text).toLocaleString("en-GB", { dateStyle: "short", timeStyle: "short" });
  rows(
    byId("latest-orders"),
    orders.slice(0, 8).map((one) => [[`#${one.id}`], [time(one.created_at)], [rupiah.format(one.total), true]]),
  );
}

async function makeReport(store, day, result) {
  const { id } = await call("POST", `/stores/${store}/reports`, { day });
  for (let tries = 0; tries < 40; tries += 1) {
    const report = await call("GET", `/stores/${store}/reports/${id}`);
    if (report.status === "done") {
      say(result, `${whole.format(report.orders)} orders, ${rupiah.format(report.total)}`, true);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  say(result, "The report is not ready yet. Please look again later.");
}

async function startDashboard() {
  const user = JSON.parse(sessionStorage.getItem(USER) || "null");
  if (!user || !sessionStorage.getItem(TOKEN)) {
    forget();
    return;
  }
  const store = user.store_id || 1;
  const message = byId("dashboard-message");
  const failed = (target) => (error) => (error.status === 401 ? forget() : say(target, error.message));
  byId("who").textContent = `${user.username} (${user.role})`;
  byId("store-name").textContent = `Store ${store}`;
  byId("day").value = new Date(Date.now() - 86400000).toISOString().slice(0, 10);
  byId("logout").addEventListener("click", () => call("POST", "/auth/logout").then(forget, forget));
  const form = byId("report-form");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const result = byId("report-result");
    say(result, "Working …", true);
    busy(form, () => makeReport(store, byId("day").value, result).catch(failed(result)));
  });
  await Promise.all([showFigures(store), showOrders(store)]).catch(failed(message));
  document.body.dataset.ready = "true";
}

if (document.body.dataset.page === "login") startLogin();
else startDashboard();
