-- A chain of bicycle shops, as somebody might have designed it over the years, for MariaDB.

CREATE TABLE countries (
    code char(2) PRIMARY KEY CHECK (binary code = binary upper(code)),
    name varchar(40) NOT NULL UNIQUE
) ENGINE=InnoDB;

CREATE TABLE cities (
    id int unsigned AUTO_INCREMENT PRIMARY KEY,
    country char(2) NOT NULL,
    name varchar(40) NOT NULL,
    inhabitants int CHECK (inhabitants > 0),
    UNIQUE (country, name),
    FOREIGN KEY (country) REFERENCES countries (code)
) ENGINE=InnoDB;

CREATE TABLE branches (
    id int AUTO_INCREMENT PRIMARY KEY,
    city_id int unsigned NOT NULL,
    street varchar(60) NOT NULL,
    opened date NOT NULL DEFAULT curdate(),
    manager_id int,
    FOREIGN KEY (city_id) REFERENCES cities (id)
) ENGINE=InnoDB;

CREATE TABLE employees (
    id int AUTO_INCREMENT PRIMARY KEY,
    branch_id int NOT NULL,
    boss_id int,
    first_name varchar(20) NOT NULL,
    last_name varchar(30) NOT NULL,
    mail varchar(100) UNIQUE,
    born date,
    salary decimal(10, 2) NOT NULL CHECK (salary > 0),
    part_time tinyint(1) NOT NULL DEFAULT 0,
    hired timestamp NOT NULL DEFAULT current_timestamp,
    full_name varchar(60) AS (concat(first_name, ' ', last_name)) PERSISTENT,
    CONSTRAINT born_first CHECK (born < hired),
    FOREIGN KEY (branch_id) REFERENCES branches (id),
    FOREIGN KEY (boss_id) REFERENCES employees (id) ON DELETE SET NULL
) ENGINE=InnoDB;

ALTER TABLE branches ADD FOREIGN KEY (manager_id) REFERENCES employees (id);

CREATE TABLE opening_hours (
    branch_id int,
    weekday tinyint CHECK (weekday BETWEEN 1 AND 7),
    opens time NOT NULL,
    closes time NOT NULL,
    PRIMARY KEY (branch_id, weekday),
    FOREIGN KEY (branch_id) REFERENCES branches (id) ON DELETE CASCADE
) ENGINE=InnoDB;

CREATE TABLE suppliers (
    id uuid PRIMARY KEY DEFAULT uuid(),
    name varchar(50) NOT NULL,
    contact json
) ENGINE=InnoDB;

CREATE TABLE categories (
    id smallint AUTO_INCREMENT PRIMARY KEY,
    parent_id smallint,
    name varchar(30) NOT NULL UNIQUE,
    FOREIGN KEY (parent_id) REFERENCES categories (id)
) ENGINE=InnoDB;

CREATE TABLE products (
    id int AUTO_INCREMENT PRIMARY KEY,
    number char(6) NOT NULL UNIQUE,
    title varchar(60) NOT NULL,
    category_id smallint NOT NULL,
    supplier_id uuid,
    price decimal(10, 2) NOT NULL CHECK (price >= 0),
    cost decimal(10, 2) CHECK (cost >= 0),
    weight float,
    words set('touring', 'steel', 'tool') NOT NULL DEFAULT '',
    details json NOT NULL DEFAULT '{}',
    picture blob,
    stock int NOT NULL DEFAULT 0 CHECK (stock >= 0),
    FOREIGN KEY (category_id) REFERENCES categories (id),
    FOREIGN KEY (supplier_id) REFERENCES suppliers (id) ON DELETE SET NULL
) ENGINE=InnoDB;

CREATE TABLE fits (
    part_id int,
    whole_id int,
    PRIMARY KEY (part_id, whole_id),
    FOREIGN KEY (part_id) REFERENCES products (id) ON DELETE CASCADE,
    FOREIGN KEY (whole_id) REFERENCES products (id) ON DELETE CASCADE
) ENGINE=InnoDB;

CREATE TABLE customers (
    id bigint AUTO_INCREMENT PRIMARY KEY,
    name varchar(60) NOT NULL,
    mail varchar(100) NOT NULL UNIQUE CHECK (mail LIKE '%_@_%'),
    city_id int unsigned,
    notes text,
    FOREIGN KEY (city_id) REFERENCES cities (id)
) ENGINE=InnoDB;

CREATE TABLE cards (
    customer_id bigint PRIMARY KEY,
    number varchar(12) NOT NULL UNIQUE,
    points int NOT NULL DEFAULT 0,
    FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE
) ENGINE=InnoDB;

CREATE TABLE orders (
    id int AUTO_INCREMENT PRIMARY KEY,
    customer_id bigint NOT NULL,
    employee_id int,
    state enum('open', 'paid', 'sent', 'returned') NOT NULL DEFAULT 'open',
    placed timestamp NOT NULL DEFAULT current_timestamp,
    sent_on date,
    FOREIGN KEY (customer_id) REFERENCES customers (id),
    FOREIGN KEY (employee_id) REFERENCES employees (id) ON DELETE SET NULL
) ENGINE=InnoDB;

CREATE TABLE order_lines (
    id int AUTO_INCREMENT PRIMARY KEY,
    order_id int NOT NULL,
    product_id int NOT NULL,
    quantity smallint NOT NULL CHECK (quantity > 0),
    price decimal(10, 2) NOT NULL,
    UNIQUE (order_id, product_id),
    FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE,
    FOREIGN KEY (product_id) REFERENCES products (id)
) ENGINE=InnoDB;

CREATE TABLE repairs (
    id int AUTO_INCREMENT PRIMARY KEY,
    branch_id int NOT NULL,
    customer_id bigint NOT NULL,
    mechanic_id int,
    clerk_id int,
    what text NOT NULL,
    brought datetime NOT NULL DEFAULT current_timestamp,
    hours decimal(4, 1) CHECK (hours > 0),
    FOREIGN KEY (branch_id) REFERENCES branches (id),
    FOREIGN KEY (customer_id) REFERENCES customers (id),
    FOREIGN KEY (mechanic_id) REFERENCES employees (id),
    FOREIGN KEY (clerk_id) REFERENCES employees (id)
) ENGINE=InnoDB;

CREATE TABLE messages (
    at timestamp DEFAULT current_timestamp,
    text text
) ENGINE=InnoDB;

CREATE VIEW offers AS SELECT id, number, title, price FROM products WHERE stock > 0;
CREATE VIEW turnover AS SELECT product_id, sum(quantity * price) AS total FROM order_lines GROUP BY product_id;

CREATE TRIGGER keep_sent BEFORE UPDATE ON orders FOR EACH ROW
BEGIN
    IF OLD.state = 'sent' AND NEW.customer_id <> OLD.customer_id THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the order was sent already, to secret@example.org';
    END IF;
END;

CREATE TRIGGER note_order AFTER INSERT ON orders FOR EACH ROW
    INSERT INTO messages (text) VALUES (concat('order ', NEW.id));

INSERT INTO countries VALUES ('CH', 'Switzerland'), ('IT', 'Italy'), ('NA', 'Namibia');
INSERT INTO cities (country, name, inhabitants) VALUES ('CH', 'Chur', 38000), ('IT', 'Bozen', 107000), ('CH', 'Biel', NULL);
INSERT INTO branches (city_id, street, opened) VALUES (1, 'Masanserstrasse 5', '1987-03-01'), (2, 'Lauben 12', '2004-09-15');
INSERT INTO employees (branch_id, boss_id, first_name, last_name, mail, born, salary, part_time, hired) VALUES
    (1, NULL, 'Ladina', 'Caduff', 'ladina@example.org', '1970-02-28', 7200.50, 0, '1995-01-01 07:00'),
    (1, 1, 'Jürg', 'Weiß', NULL, '1991-12-31', 4800.00, 1, '2015-06-01 06:00'),
    (2, 1, 'Chiara', 'Rossi', 'chiara@example.org', NULL, 5100.25, 0, '2019-10-01 06:00');
UPDATE branches SET manager_id = 1 WHERE id = 1;
INSERT INTO opening_hours VALUES (1, 1, '13:30', '18:30'), (1, 6, '09:00', '16:00');
INSERT INTO suppliers VALUES ('6b1f6e0a-58c1-4d5e-9a34-0d2f2c6f9b01', 'Zahnrad AG', '{"phone": "+41 81 000 00 00", "days": [1, 2]}');
INSERT INTO categories (parent_id, name) VALUES (NULL, 'Bicycles'), (NULL, 'Parts'), (2, 'Chains');
INSERT INTO products (number, title, category_id, supplier_id, price, cost, weight, words, details, picture, stock) VALUES
    ('B-0001', 'Touring bicycle "Rhein"', 1, NULL, 1890.00, 1100, 14.2, 'touring,steel', '{"gears": 27}', x'89504e47', 3),
    ('P-0001', 'Chain, 9 speeds', 3, '6b1f6e0a-58c1-4d5e-9a34-0d2f2c6f9b01', 39.90, 17.35, 0.3, '', '{}', NULL, 40),
    ('P-0002', 'Chain tool', 2, NULL, 24.5, NULL, NULL, 'tool', '{"tool": true}', NULL, 0);
INSERT INTO fits VALUES (2, 1);
INSERT INTO customers (name, mail, city_id, notes) VALUES ('Ada Lövel', 'ada@example.org', 1, NULL), ('Ōta', 'ota@example.org', NULL, 'calls');
INSERT INTO cards VALUES (1, 'K-100', 250);
INSERT INTO orders (customer_id, employee_id, state, placed, sent_on) VALUES (1, 2, 'sent', '2024-02-29 11:00', '2024-03-02'), (2, NULL, 'open', now(), NULL);
INSERT INTO order_lines (order_id, product_id, quantity, price) VALUES (1, 1, 1, 1850.00), (1, 2, 2, 39.90), (2, 2, 1, 39.90);
INSERT INTO repairs (branch_id, customer_id, mechanic_id, clerk_id, what, hours) VALUES (1, 2, 2, 1, 'brakes', 1.5);
